/* The picture of a launch: who carries out which operation, in which order, for which wall. From
 * the rows of policies/operation.def, so that it shows what is done. */
#include "packaging/pages/pages.h"
#include "policies/operation.h"

#include <string.h>

enum lane { LANE_SHIM, LANE_BETWEEN, LANE_CELL };

/* Where a phase is drawn: by whom it is carried out. */
static enum lane lane_of(enum operation_phase phase)
{
    switch (phase) {
    case PHASE_SHIM: return LANE_SHIM;
    case PHASE_CLONE:
    case PHASE_GRANT:
    case PHASE_MESSAGE: return LANE_BETWEEN;
    default: return LANE_CELL;
    }
}

enum { WIDTH = 960, LANE_WIDTH = 280, LINE = 19, HEAD = 30, GAP = 14, TOP = 60 };

static int lane_x(enum lane lane)
{
    return 30 + (int)lane * (LANE_WIDTH + 30);
}

static int operations_of(enum operation_phase phase)
{
    int count = 0;
    for (int i = 0; i < OPERATION_COUNT; i++)
        count += operation_infos[i].phase == phase;
    return count;
}

static int band_height(enum operation_phase phase)
{
    return HEAD + operations_of(phase) * LINE + 8;
}

static void put_text(FILE *out, int x, int y, const char *class, const char *text)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
    for (; *text; text++)
        fputc(*text == '_' ? ' ' : *text, out);
    fputs("</text>\n", out);
}

/* One phase: its operations in their order, each with the wall that it builds. Its height. */
static int put_band(FILE *out, enum operation_phase phase, int y)
{
    int x = lane_x(lane_of(phase)), height = band_height(phase);
    fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" class=\"lane%d\"/>\n",
            x, y, LANE_WIDTH, height, (int)lane_of(phase));
    put_text(out, x + 12, y + 20, "phase", phase_infos[phase].word);
    int at = y + HEAD + 12;
    for (int i = 0; i < OPERATION_COUNT; i++) {
        const struct operation_info *info = &operation_infos[i];
        if (info->phase != phase)
            continue;
        put_text(out, x + 12, at, "operation", info->word);
        if (info->wall != WALL_NONE)
            put_text(out, x + LANE_WIDTH - 12, at, "wall", walls[info->wall].word);
        at += LINE;
    }
    return height;
}

void picture(FILE *out)
{
    int height = TOP + 60;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        height += band_height((enum operation_phase)phase) + GAP;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"How a cell of carrel is launched\">\n",
            WIDTH, height);
    fputs("<style>\n"
          "text{font:13px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}\n"
          ".phase{font-weight:bold}.wall{text-anchor:end;fill:#8a1c1c}\n"
          ".line{stroke:#8a1c1c;stroke-width:2;stroke-dasharray:6 4}.untrusted{fill:#8a1c1c}\n"
          ".lane0{fill:#e8eef7;stroke:#8ba3c7}.lane1{fill:#f3f0e4;stroke:#c2b27e}"
          ".lane2{fill:#e9f3e7;stroke:#8cb685}\n"
          "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
          out);
    put_text(out, lane_x(LANE_SHIM) + 12, 36, "title", "the shim");
    put_text(out, lane_x(LANE_BETWEEN) + 12, 36, "title", "from the shim to the cell");
    put_text(out, lane_x(LANE_CELL) + 12, 36, "title", "the process of the cell");
    int y = TOP;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        y += put_band(out, (enum operation_phase)phase, y) + GAP;
    fprintf(out, "<line x1=\"30\" x2=\"%d\" y1=\"%d\" y2=\"%d\" class=\"line\"/>\n", WIDTH - 30, y,
            y);
    put_text(out, lane_x(LANE_CELL) + 12, y + 24, "untrusted",
             "here the first untrusted byte is read");
    fputs("</svg>\n", out);
}
