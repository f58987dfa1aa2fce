/* The component of an image that has no file system: one of its layers is the component, as in a
 * Wasm OCI artifact (tag-runtime.cncf.io/wgs/wasm, "Wasm OCI Artifact layout") or in the images of
 * runwasi. containerd has read the image's manifest; what it names is in the labels that containerd
 * keeps for its garbage collection, so that nobody here reads a manifest. The layer is the blob
 * among them that begins as WebAssembly does, whatever its media type. */
#ifndef CARREL_SHIM_CONTAINERD_ARTIFACT_H
#define CARREL_SHIM_CONTAINERD_ARTIFACT_H

#include "engine/base/bytes.h"
#include "shim/component.h"

/* Where containerd is asked for an image. */
struct artifact_place {
    const char *address;   /* of its socket; "": there is none to ask */
    const char *namespace; /* of the container */
    const char *container;
};

/* Copies the component of the image that the container was made from. A process of its own fetches
 * it, which can do nothing but talk to containerd; it is gone when this returns. Errors: ABSENT
 * (the image has no such layer, or the container no image), USAGE (it has more than one), FAULT,
 * and those of component_copy. */
int artifact_fetch(const struct artifact_place *place, struct component *ret, struct err *err);

/* Takes a label whose name begins with what was asked for. Both texts are of unknown origin. */
typedef void artifact_label_taker(void *data, struct bytes name, struct bytes value);

/* Gives the labels of the container, where containerd has put those of its image, to `take`: what
 * an image asks for. It gets nothing by that, so that of what cannot be found out nothing is said.
 */
void artifact_labels(const struct artifact_place *place, const char *prefix,
                     artifact_label_taker *take, void *data);

#endif
