# carrel: one Makefile, not recursive. `make help` lists the targets.
#
#   CC=clang-19 (reference) or gcc; both build everything with warnings as errors.
#   Objects lie in build/obj/VARIANT/, where a variant is a libc and a set of flags:
#     cell   the static engine, against musl          (what ships)
#     host   against glibc, optimised                 (runner, shim, tests)
#     asan ubsan fuzz                                 (tests and fuzzers under sanitizers)
#     count  the interpreter counts what it runs      (make pairs)

CC      ?= clang-19
ifeq ($(origin CC),default)
CC      := clang-19
endif
B       := build
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
DATE    := 2026-11-23

# As many jobs as there are processors, unless make was told a number. A make within a make shares the
# jobs of the outer one, and does not see so in MAKEFLAGS while it reads this.
ifndef JOBS_ARE_TOLD
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS)),)
MAKEFLAGS += --jobs=$(shell nproc)
endif
export JOBS_ARE_TOLD := yes
endif

# V=1 shows the commands.
Q       := $(if $(V),,@)
say      = $(if $(V),@:,@printf '  %-4s %s\n' $(1) $(patsubst $(B)/%,%,$(2)))

IS_CLANG := $(findstring clang,$(notdir $(CC)))

# --- Flags -----------------------------------------------------------------------------------------
WARN     := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wundef \
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough -Werror
WARN_CONVERSION := -Wconversion -Wno-sign-conversion
CPPFLAGS := -I. -D_GNU_SOURCE -DCARREL_VERSION='"$(VERSION)"'
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fno-strict-aliasing \
            -fno-delete-null-pointer-checks
# EXTRA_CFLAGS is for whoever packages carrel.
COMMON   := -std=c17 -g -fvisibility=hidden $(WARN) $(CPPFLAGS) $(EXTRA_CFLAGS)
# SSE4.1 and POPCNT are there on every x86-64 since 2009; the engine checks at its start.
ARCH     := $(if $(filter x86_64,$(shell uname -m)),-march=x86-64-v2)
# The interpreter's arithmetic must not be contracted to fused operations (spec §4.3.3).
FLOAT    := -ffp-contract=off -fno-math-errno

# musl, for the static engine. clang has no wrapper, so its paths are given here. What is asked of the compiler
# is asked in silence: before `make deps` there may be none.
MUSL     := /usr/lib/$(shell uname -m)-linux-musl
MUSL_INC := /usr/include/$(shell uname -m)-linux-musl
CCINC    := $(if $(IS_CLANG),$(shell $(CC) -print-resource-dir 2>/dev/null)/include,$(shell $(CC) -print-file-name=include 2>/dev/null))
MUSL_CFLAGS := -nostdinc -isystem $(MUSL_INC) -isystem $(CCINC) \
               -idirafter /usr/include -idirafter /usr/include/$(shell uname -m)-linux-gnu
# HTTP/2: Debian's libraries are built for glibc; engine/cell/glibc.c has what they ask for.
NGHTTP2  := $(shell $(CC) -print-file-name=libnghttp2.a 2>/dev/null)
# Compressed layers of images, which readers unpack.
UNPACK   := $(shell $(CC) -print-file-name=libz.a 2>/dev/null) $(shell $(CC) -print-file-name=libzstd.a 2>/dev/null)
LIBGCC   := $(shell $(CC) -print-libgcc-file-name 2>/dev/null)

CFLAGS_cell  := $(COMMON) -O2 -fPIE $(ARCH) $(FLOAT) $(MUSL_CFLAGS) -fno-stack-protector \
                -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
CFLAGS_host  := $(COMMON) -O2 -fPIE $(ARCH) $(FLOAT) $(HARDEN)
CFLAGS_asan  := $(COMMON) -O1 $(ARCH) $(FLOAT) -fsanitize=address -fno-omit-frame-pointer -DCARREL_DISPATCH_LOOP
CFLAGS_ubsan := $(COMMON) -O1 $(ARCH) $(FLOAT) -fsanitize=undefined -fno-sanitize-recover=undefined -DCARREL_DISPATCH_LOOP
CFLAGS_fuzz  := $(COMMON) -O1 $(ARCH) $(FLOAT) -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -DCARREL_DISPATCH_LOOP
CFLAGS_count := $(COMMON) -O2 $(ARCH) $(FLOAT) -DCARREL_DISPATCH_LOOP -DCARREL_COUNT
# What the command is made of: the linker may put each function and variable where it likes.
APART_host    = $(if $(filter runner/% shim/% policies/% engine/base/%,$<),-ffunction-sections -fdata-sections)
LLD          := $(if $(IS_CLANG),-fuse-ld=lld)
LDFLAGS_host  := $(LLD) -pie -Wl,-z,relro,-z,now
LDFLAGS_asan  := $(LLD) -fsanitize=address
LDFLAGS_ubsan := $(LLD) -fsanitize=undefined
LDFLAGS_fuzz  := $(LLD) -fsanitize=address,undefined,fuzzer
LDFLAGS_cell  := -nostdlib -static-pie $(if $(IS_CLANG),-fuse-ld=lld --target=$(shell uname -m)-linux-musl) \
                 -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code

# What the linker read for a program lies beside it: packaging/sbom says from it what the program holds.
LINKED        = -Wl,--dependency-file=$@.d

# --- Sources: a folder is a list -------------------------------------------------------------------
src = $(sort $(wildcard $(addsuffix /*.c,$(1))))
obj = $(patsubst %.c,$(B)/obj/$(1)/%.o,$(2))

ENGINE_LIB  := $(call src,engine/base engine/wasm engine/exec engine/component engine/http engine/wasi engine/serve)
ENGINE_MAIN := $(call src,engine engine/cell)
BASE        := $(call src,engine/base)
# What a program is that becomes a cell, whatever its roles.
CELL        := engine/main.c $(addprefix engine/cell/,cell.c order.c lockdown.c tell.c)
POLICIES    := $(call src,policies)
SHIM        := $(call src,shim)
CONTAINERD  := $(filter-out %/main.c,$(call src,shim/containerd))
RUNNER      := $(call src,runner)

.PHONY: all help deps run test asan ubsan fuzz bench lint install clean replay
all: $(B)/carrel $(B)/carrel-engine $(B)/carrel-tls $(B)/carrel-keyvalue $(B)/containerd-shim-carrel-v1 $(B)/carrel-oci

help:
	@sed -n 's/^## //p' Makefile

$(B)/obj/%.o: VARIANT = $(word 3,$(subst /, ,$@))
# Objects are built anew when their flags change: the stamp's content is the flags.
define stamp
$(B)/obj/$(1)/flags: FORCE
	@mkdir -p $$(@D)
	@echo '$$(CC) $$(subst ','\'',$$(CFLAGS_$(1)))' | cmp -s - $$@ || echo '$$(CC) $$(subst ','\'',$$(CFLAGS_$(1)))' > $$@
endef
FORCE:
$(foreach v,cell host asan ubsan fuzz count,$(eval $(call stamp,$(v))))

define compile
$(B)/obj/$(1)/%.o: %.c $(B)/obj/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(CFLAGS_$(1)) $$(DEFS) $$(if $$(filter engine/% policies/%,$$<),$$(WARN_CONVERSION)) $$(APART_$(1)) -MMD -MP -c $$< -o $$@
endef
$(foreach v,cell host asan ubsan fuzz count,$(eval $(call compile,$(v))))

# --- Programs --------------------------------------------------------------------------------------
# What a cell's start goes through lies close together (make start-order): another linker than lld does without.
comma := ,
START_ORDER = $(if $(LLD),-Wl$(comma)--symbol-ordering-file=$(filter %/start.order,$^) -Wl$(comma)--no-warn-symbol-ordering)

## make            build/carrel (command and shim) and build/carrel-engine (the program in a cell)
$(B)/carrel-engine: $(call obj,cell,$(ENGINE_LIB) $(ENGINE_MAIN)) engine/start.order
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_cell) $(LINKED) $(START_ORDER) -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o $(filter %.o,$^) $(NGHTTP2) $(UNPACK) -L$(MUSL) -lc $(LIBGCC) $(MUSL)/crtn.o
	@chmod go-w $@

# The program in a TLS cell: OpenSSL is Debian's, and built for glibc.
$(B)/carrel-tls: $(call obj,host,$(BASE) $(CELL) $(call src,engine/tls))
	$(call say,LD,$@)
	$(Q)$(CC) $(LLD) -static-pie $(LINKED) -Wl,--gc-sections,--wrap=qsort,-z,relro,-z,now,-z,noexecstack -o $@ $^ -lssl -lcrypto
	@chmod go-w $@

# The program that keeps stores, outside of cells; SQLite is Debian's.
$(B)/carrel-keyvalue: $(call obj,host,$(BASE) $(call src,shim/keeper))
	$(call say,LD,$@)
	$(Q)$(CC) $(LLD) -static-pie $(LINKED) -Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack -o $@ $^ -lsqlite3 -lseccomp -lm
	@chmod go-w $@

# Linked statically, and with musl: the dynamic loader costs as much as half a cell, and glibc's start as
# much as a quarter. The objects and the libraries are those for glibc; runner/libc has what they ask for,
# and tests/lint/libc.sh reads the map.
$(B)/carrel: $(call obj,host,$(RUNNER) $(SHIM) $(POLICIES) $(BASE)) $(call obj,cell,$(call src,runner/libc)) runner/start.order
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_cell) $(LINKED) $(RUNNER_WRAPS:%=-Wl,--wrap=%) $(START_ORDER) -Wl,--cref,-Map=$@.map -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o $(filter %.o,$^) \
	    $(foreach l,$(RUNNER_LIBS),$(shell $(CC) -print-file-name=$(l:-l%=lib%.a))) -L$(MUSL) -lc $(LIBGCC) $(MUSL)/crtn.o

RUNNER_WRAPS := __mmap munmap open OPENSSL_cpuid_setup SHA256_Update
RUNNER_LIBS := -lseccomp -ljson-c -lyaml -lbpf -lelf -lz -lcrypto

# containerd's shim. Wholly static: it stays as long as its containers do, and what it shares with
# others of its kind costs nothing.
$(B)/containerd-shim-carrel-v1: $(call obj,host,shim/containerd/main.c $(CONTAINERD) $(SHIM) $(POLICIES) $(BASE))
	$(call say,LD,$@)
	$(Q)$(CC) $(LLD) -static-pie $(LINKED) -Wl,-z,relro,-z,now -Wl,--gc-sections -o $@ $^ -lseccomp -ljson-c -lbpf -lelf -lz -lcrypto
	@chmod go-w $@

# The same program, by the name that an OCI runtime is started by.
$(B)/carrel-oci: $(B)/containerd-shim-carrel-v1
	@ln -sf $(<F) $@

# The places of the installed engine and of the profile for AppArmor are compiled in; another PREFIX
# compiles what has them anew.
$(B)/prefix: FORCE
	@mkdir -p $(@D); echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
ENGINE_FILE_O := $(foreach v,host asan ubsan fuzz,$(B)/obj/$(v)/shim/engine_file.o)
$(ENGINE_FILE_O): $(B)/prefix
$(ENGINE_FILE_O): DEFS = -DCARREL_LIBEXEC='"$(PREFIX)/libexec/carrel"'
DOCTOR_MEND_O := $(foreach v,host asan ubsan fuzz,$(B)/obj/$(v)/runner/doctor_mend.o)
$(DOCTOR_MEND_O): $(B)/prefix
$(DOCTOR_MEND_O): DEFS = -DCARREL_SHARE='"$(PREFIX)/share/carrel"'
.PHONY: FORCE

# What is remembered of a component numbers the rows of these: another table, another memory.
TABLES := $(wildcard policies/wasi*.def) policies/p1.def policies/row.def
DEMAND_CACHE_O := $(foreach v,host asan ubsan fuzz,$(B)/obj/$(v)/shim/demand_cache.o)
$(DEMAND_CACHE_O): $(TABLES)
$(DEMAND_CACHE_O): DEFS = -DCARREL_TABLES=UINT64_C\(0x$(shell cat $(TABLES) | sha256sum | cut -c1-16)\)

# The programs that watch a cell from the kernel (carrel trace): made for its virtual machine, and carried
# in the command as a skeleton of libbpf's.
BPF_CFLAGS := -O2 -g -target bpf -D__TARGET_ARCH_$(if $(filter aarch64,$(shell uname -m)),arm64,x86) -I. \
              -I/usr/include/$(shell uname -m)-linux-gnu -Wall -Wextra -Werror -ffile-compilation-dir=.
$(B)/bpf/trace.o: policies/bpf/trace.bpf.c policies/bpf/trace.h
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)clang-19 $(BPF_CFLAGS) -c $< -o $@
$(B)/bpf/policies/bpf/trace.skel.h: $(B)/bpf/trace.o
	@mkdir -p $(@D)
	$(Q){ echo '// NOLINTBEGIN: bpftool wrote this' && $(BPFTOOL) gen skeleton $< name trace_bpf && \
	    echo '// NOLINTEND'; } >$@.new && mv $@.new $@
BPFTOOL := $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
TRACE_O := $(foreach v,host asan ubsan fuzz,$(B)/obj/$(v)/runner/trace.o)
$(TRACE_O): $(B)/bpf/policies/bpf/trace.skel.h
$(TRACE_O): private DEFS = -isystem $(B)/bpf

# The index of fuse.def, for every variant of what includes it.
$(B)/fuse/write: $(B)/obj/host/engine/wasm/places/main.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
$(B)/fuse/engine/wasm/fuse_places.inc: $(B)/fuse/write
	@mkdir -p $(@D)
	@$< >$@.new && mv $@.new $@
TR_FUSE_O := $(foreach v,cell host asan ubsan fuzz count,$(B)/obj/$(v)/engine/wasm/tr_fuse.o)
$(TR_FUSE_O): $(B)/fuse/engine/wasm/fuse_places.inc
$(TR_FUSE_O): private DEFS = -isystem $(B)/fuse

# The filters that are asked for most are built now.
$(B)/filters/write: $(call obj,host,runner/filters/main.c $(POLICIES) $(BASE))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^ $(UNIT_LIBS_policy)
$(B)/filters/runner/filters.inc: $(B)/filters/write
	@mkdir -p $(@D)
	@$< >$@.new && mv $@.new $@
FILTERS_O := $(foreach v,host asan ubsan fuzz,$(B)/obj/$(v)/runner/filters.o)
$(FILTERS_O): $(B)/filters/runner/filters.inc
$(FILTERS_O): private DEFS = -isystem $(B)/filters

# A library of the engine for each variant that tests link against.
define englib
$(B)/obj/$(1)/libengine.a: $(call obj,$(1),$(ENGINE_LIB))
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach v,host asan ubsan fuzz,$(eval $(call englib,$(v))))

# --- Unit tests: tests/unit/ROOM_SUBJECT.c, one cmocka program each -----------------------------------
# A test links the objects of its room and of those below it: the layers, held by the linker too.
rooms_base      := engine/base
rooms_wasm      := $(rooms_base) engine/wasm
rooms_exec      := $(rooms_wasm) engine/exec
rooms_component := $(rooms_exec) engine/component
rooms_http      := $(rooms_base) engine/http
rooms_wasi      := $(rooms_component) engine/http engine/wasi
rooms_serve     := $(rooms_wasi) engine/serve
rooms_policy    := $(rooms_base) policies
rooms_rules     := $(rooms_wasi) policies shim
rooms_shim      := $(rooms_policy) shim
rooms_runner    := $(rooms_shim) runner
rooms_containerd := $(rooms_shim) shim/containerd
UNIT_LIBS       := -lcmocka
UNIT_LIBS_serve := $(NGHTTP2)
UNIT_LIBS_policy := -lseccomp -ljson-c
UNIT_LIBS_shim   := $(UNIT_LIBS_policy) -l:libcrypto.a -lbpf -lelf -lz
UNIT_LIBS_rules  := $(UNIT_LIBS_shim)
UNIT_LIBS_containerd := $(UNIT_LIBS_shim)
UNIT_LIBS_runner := $(UNIT_LIBS_shim) -l:libyaml.a
UNIT            := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))

# unit VARIANT NAME ROOM
define unit
$(B)/test/$(1)/$(2): $(B)/obj/$(1)/tests/unit/$(2).o $(patsubst %.c,$(B)/obj/$(1)/%.o,$(filter-out %/main.c,$(call src,$(rooms_$(3)))))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(UNIT_LIBS) $$(UNIT_LIBS_$(3))
endef
$(foreach v,host asan ubsan,$(foreach t,$(UNIT),$(eval $(call unit,$(v),$(t),$(firstword $(subst _, ,$(t)))))))

## make unit       the unit tests alone; make unit-asan, make unit-ubsan: under a sanitizer
.PHONY: unit unit-asan unit-ubsan
unit:       $(addprefix $(B)/test/host/,$(UNIT))
unit-asan:  $(addprefix $(B)/test/asan/,$(UNIT))
unit-ubsan: $(addprefix $(B)/test/ubsan/,$(UNIT))
unit unit-asan unit-ubsan:
	@tests/run.sh $^

## make asan       unit tests, conformance suites, kernels and damaged files under AddressSanitizer; make
##                 ubsan: under UndefinedBehaviorSanitizer. ONLY='NAME...' some rows of tests/sanitized
define sanitized
$(1): $(addprefix $(B)/test/$(1)/,$(UNIT) replay mutate mutate-component)
	@BUILD=$$(B) SHARED=$$(SHARED) VARIANT=$(1) tests/run.sh --suites tests/sanitized $$(ONLY)
endef
$(foreach v,asan ubsan,$(eval $(call sanitized,$(v))))

# --- House -------------------------------------------------------------------------------------------
## make deps       installs what is missing of packaging/deps.def, from Debian and npm
## make run        builds, runs a real component in a cell, and shows its audit
## make test       everything, closing with `N passed, N failed`; ONLY='NAME...' some rows of tests/suites
## make lint       format, clang-tidy, the rules of the house, and no page both writable and executable
## make install    DESTDIR= PREFIX=; make uninstall
SHARED ?= ../shared
deps:
	@packaging/deps

run:
	@packaging/deps build
	@$(MAKE) --no-print-directory all
	@tests/show.sh $(B)/carrel

test:
	@packaging/deps build test
	@$(MAKE) --no-print-directory all test-programs
	@BUILD=$(B) SHARED=$(SHARED) tests/run.sh --suites tests/suites $(ONLY)

# What `make test` runs besides the two programs; rooms add theirs.
.PHONY: test-programs
test-programs: $(addprefix $(B)/test/host/,$(UNIT) verdicts replay diff-run leftovers whole_lines carrel-without) $(B)/test/many_opt.so $(B)/test/cell/runner-engine live $(B)/share $(B)/test/components

# Components that suites serve and run, in C.
COMPONENTS_FROM := $(wildcard tests/components/* tests/http/*.[ch] tests/wasi/*.mjs tests/wasi/rows/rows.h tests/wasi/rows/base.c policies/wasi*.def policies/p1.def)
$(B)/test/components: $(COMPONENTS_FROM)
	$(call say,NODE,$@)
	$(Q)node tests/components/build.mjs $@ && touch $@

# The verdict tables: what every filter says to every probe.
$(B)/test/host/verdicts: $(call obj,host,tests/policy/verdicts.c tests/policy/world.c $(POLICIES) $(BASE))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^ $(UNIT_LIBS_policy)

## make golden     renews the tables that tests compare with; look at the difference before a commit
.PHONY: golden
golden: $(B)/test/host/verdicts all $(B)/share
	$(B)/test/host/verdicts >tests/policy/verdicts.txt
	cp $(B)/share/doc/carrel/launch.svg docs/launch.svg
	@[ ! -d $(SHARED)/components ] || node tests/audit/golden.mjs $(SHARED)/components --carrel $(B)/carrel --renew

lint:
	@packaging/deps build test lint
	@$(MAKE) --no-print-directory all
	@BUILD=$(B) MAKE='$(MAKE)' tests/lint.sh

# clang-tidy over every source, each with the flags of where it runs. A stamp stands for a source in which
# nothing was found; it is as old as what the source includes and .clang-tidy, so a second run looks at what
# changed.
## make tidy       clang-tidy alone; the first run takes minutes, the next what changed since
TIDY_GUEST := $(addprefix tests/,bench/io/% bench/kernels/% bench/training/% components/% data/% http/% \
              $(addprefix wasi/,keyvalue/% names/% rows/% shapes/%))
TIDY_FLAGS  = -I. $(if $(filter $(TIDY_GUEST),$<),\
                  -std=c17 --target=wasm32 -ffreestanding -I$(B)/tidy -Itests/wasi/rows -DGRANTED=1,\
                  $(if $(filter %.bpf.c,$<),$(BPF_CFLAGS),\
                      -std=c17 $(ARCH) $(CPPFLAGS) $(addprefix -isystem $(B)/,bpf fuse filters) -DCARREL_LIBEXEC='""' -DCARREL_SHARE='""' -DCARREL_DATE='""'))
$(B)/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	@clang-19 $(TIDY_FLAGS) -MM -MP -MT $@ -MF $(@:.ok=.d) $<
	@clang-tidy-19 --quiet $< -- $(TIDY_FLAGS) >$(@:.ok=.found) 2>&1 || { cat $(@:.ok=.found); exit 1; }
	@rm $(@:.ok=.found) && touch $@
$(B)/tidy/wasi.h: tests/wasi/header.mjs tests/wasi/table.mjs policies/wasi.def policies/p1.def
	@mkdir -p $(@D)
	@node $< >$@.new && mv $@.new $@
.PHONY: tidy
ifneq ($(filter tidy,$(MAKECMDGOALS)),)
TIDY := $(patsubst %.c,$(B)/tidy/%.ok,$(shell git ls-files -co --exclude-standard '*.c'))
$(filter $(B)/tidy/tests/unit/%,$(TIDY)): tests/unit/.clang-tidy
$(TIDY): | $(B)/tidy/wasi.h $(B)/bpf/policies/bpf/trace.skel.h $(B)/fuse/engine/wasm/fuse_places.inc $(B)/filters/runner/filters.inc
-include $(TIDY:.ok=.d)
tidy: $(TIDY)
endif

# Manual pages and completions, from the rows of the command line.
PAGES_O := $(call obj,host,$(addprefix packaging/pages/,man.c policy.c shim.c))
$(PAGES_O): $(B)/prefix
$(PAGES_O): DEFS = -DCARREL_DATE='"$(DATE)"' -DCARREL_LIBEXEC='"$(PREFIX)/libexec/carrel"' -DCARREL_SHARE='"$(PREFIX)/share/carrel"'
$(B)/pages: $(call obj,host,$(call src,packaging/pages) $(addprefix runner/,cli.c nearest.c policy_key.c) $(addprefix policies/,capability.c wall.c operation.c syscall.c) $(wildcard policies/net*.c) $(BASE))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
$(B)/share: $(B)/pages
	@rm -rf $@ && $(B)/pages $@

# What is installed, as it lies below PREFIX. A program without the linker's list is linked anew. Information for
# debuggers stays in the build, as it names the folders of the build; whoever packages carrel says STRIP=: and takes it.
STRIP      ?= strip --strip-debug
IN_BIN     := $(addprefix $(B)/,carrel containerd-shim-carrel-v1)
IN_LIBEXEC := $(addprefix $(B)/,carrel-engine carrel-tls carrel-keyvalue)
$(foreach p,$(IN_BIN) $(IN_LIBEXEC),$(if $(wildcard $(p).d),,$(eval .PHONY: $(p))))
.PHONY: tree sbom uninstall
tree: all $(B)/share
	@rm -rf $(B)/tree && mkdir -p $(B)/tree/bin $(B)/tree/libexec/carrel
	@install -m 755 $(IN_BIN) $(B)/tree/bin
	@install -m 755 $(IN_LIBEXEC) $(B)/tree/libexec/carrel
	@$(STRIP) $(B)/tree/bin/* $(B)/tree/libexec/carrel/*
	@ln -s containerd-shim-carrel-v1 $(B)/tree/bin/carrel-oci
	@cp -r $(B)/share $(B)/tree/share
	@install -D -m 644 packaging/apparmor/carrel $(B)/tree/share/carrel/apparmor

## make sbom       build/carrel.spdx.json: what is in this build, as SPDX 2.3
sbom: tree
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(date -u -d $(DATE) +%s)} \
	    packaging/sbom/sbom carrel $(VERSION) $(B)/tree $(B) >$(B)/carrel.spdx.json.new
	@mv $(B)/carrel.spdx.json.new $(B)/carrel.spdx.json

# Where there is no dpkg, nobody can say which libraries these are: then without an SBOM.
install: $(if $(shell command -v dpkg-query),sbom,tree)
	@[ ! -e $(B)/carrel.spdx.json ] || install -D -m 644 $(B)/carrel.spdx.json $(B)/tree/share/doc/carrel/carrel.spdx.json
	install -d $(DESTDIR)$(PREFIX)
	cp -dR --preserve=mode --remove-destination $(B)/tree/. $(DESTDIR)$(PREFIX)
uninstall: tree
	cd $(B)/tree && find . ! -type d -exec rm -f '$(abspath $(DESTDIR)$(PREFIX))/{}' ';'
	rm -f $(DESTDIR)$(PREFIX)/share/doc/carrel/carrel.spdx.json
	rmdir $(addprefix $(DESTDIR)$(PREFIX)/,share/doc/carrel share/carrel libexec/carrel)

## make package    Debian packages in build/packages; make package-test: built twice, installed, used and
##                 removed in a bare Debian 12, and the README's two commands in a checkout there (SHORT=1: without)
.PHONY: package package-test
package:
	@packaging/deps build package
	@packaging/package $(B)/packages
package-test:
	@packaging/deps build package
	@tests/packaging/package.sh $(B)/package-test

# --- Conformance suites --------------------------------------------------------------------------------
# replay carries the commands of scripts out; replay-decode links decoder and validator alone.
SPEC         := $(addprefix tests/spec/,replay.c script.c suite.c core_decode.c)
SPEC_ALL     := $(SPEC) $(filter-out $(SPEC) tests/spec/runners_decode.c,$(call src,tests/spec)) \
                $(call src,$(rooms_component))
SPEC_DECODE  := $(SPEC) tests/spec/runners_decode.c $(BASE) \
                $(filter-out $(wildcard engine/wasm/tr_*.c engine/wasm/translate*.c engine/wasm/code*.c),$(call src,engine/wasm))

# spec VARIANT NAME SOURCES
define spec
$(B)/test/$(1)/$(2): $(call obj,$(1),$(3))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_$(1)) -o $$@ $$^ -ljson-c
endef
$(foreach v,host asan ubsan,$(eval $(call spec,$(v),replay,$(SPEC_ALL)))$(eval $(call spec,$(v),replay-decode,$(SPEC_DECODE))))

$(B)/replay: $(B)/test/host/replay
	@cp $< $@

## make replay SUITE=DIR   replays the conformance scripts in a folder; REPLAY= takes further flags
SUITE ?= tests/data
replay: $(B)/replay
	@$(B)/replay $(REPLAY) $(SUITE)

# --- The shim, live: cells with an engine that obeys the test ---------------------------------------------
FIXTURE    := $(addprefix tests/shim/,fixture.c script.c)
LIVE_TESTS := $(filter-out %/engine.c $(FIXTURE),$(wildcard tests/shim/*.c))

# cellprogram NAME SOURCES: an engine whose roles are those of the sources
define cellprogram
$(B)/test/cell/$(1): $(call obj,cell,$(2) $(CELL) engine/cell/absent.c $(BASE))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_cell) -o $$@ $$(MUSL)/rcrt1.o $$(MUSL)/crti.o $$^ -L$$(MUSL) -lc $$(LIBGCC) $$(MUSL)/crtn.o
	@chmod go-w $$@
endef
$(eval $(call cellprogram,engine,tests/shim/engine.c))
$(eval $(call cellprogram,runner-engine,tests/runner/engine.c))

# Whether anything is left of the command, killed or not: make leftovers. What it says comes in whole lines.
$(B)/test/host/leftovers $(B)/test/host/whole_lines: $(B)/test/host/%: $(B)/obj/host/tests/runner/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
## make leftovers  nothing is left after RUNS=10000 runs and KILLS=1000 kills at random moments
.PHONY: leftovers
leftovers: $(B)/carrel $(B)/test/cell/runner-engine $(B)/test/host/leftovers
	@$(B)/test/host/leftovers $(B)/carrel $(B)/test/cell/runner-engine $(or $(RUNS),10000) $(or $(KILLS),1000)

# live VARIANT SOURCE
define live
$(B)/test/$(1)/live_$(basename $(notdir $(2))): $(call obj,$(1),$(2) $(FIXTURE) $(SHIM) $(POLICIES) $(BASE)) | $(B)/test/cell/engine $(B)/test/cell/ended
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_$(1)) -o $$@ $$(filter %.o,$$^) $$(UNIT_LIBS) $$(UNIT_LIBS_shim)
endef
$(foreach v,host asan ubsan,$(foreach t,$(LIVE_TESTS),$(eval $(call live,$(v),$(t)))))
LIVE := $(patsubst tests/shim/%.c,$(B)/test/host/live_%,$(LIVE_TESTS))
.PHONY: live
live: $(LIVE) $(B)/test/host/escape $(B)/test/host/sweep

# --- Fuzzing ---------------------------------------------------------------------------------------------
# tests/fuzz/fuzz_NAME.c is a libFuzzer target over the rooms of FUZZ_ROOMS_NAME.
FUZZERS              := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_ROOMS_component := $(rooms_component)
FUZZ_ROOMS_validate  := $(rooms_component)
FUZZ_ROOMS_transcode := $(rooms_component)
FUZZ_ROOMS_values    := $(rooms_component)
FUZZ_ROOMS_wit       := $(rooms_component)
FUZZ_LIBS_transcode  := $(UNIT_LIBS)
FUZZ_LIBS_values     := $(UNIT_LIBS)
FUZZ_ROOMS_module    := $(rooms_wasm)
FUZZ_ROOMS_translate := $(rooms_wasm)
FUZZ_ROOMS_http   := $(rooms_http)
FUZZ_ROOMS_serve  := $(rooms_http)
FUZZ_MORE_serve   := tests/fuzz/no_wasi_http.c $(filter-out %/seat.c %/server.c %/copy.c,$(call src,engine/serve))
FUZZ_LIBS_serve   := $(NGHTTP2)
FUZZ_ROOMS_copy   := $(rooms_http)
FUZZ_MORE_copy    := tests/fuzz/no_wasi_http.c $(filter-out %/seat.c,$(call src,engine/serve))
FUZZ_LIBS_copy    := $(NGHTTP2)
FUZZ_ROOMS_image  := $(rooms_base)
FUZZ_MORE_image   := engine/cell/image.c engine/cell/unpack.c
FUZZ_LIBS_image   := -lz -lzstd
FUZZ_ROOMS_demand := $(rooms_policy)
FUZZ_ROOMS_messages := $(rooms_shim)
FUZZ_LIBS_messages  := $(UNIT_LIBS_shim)
FUZZ_LIBS_demand  := $(UNIT_LIBS_policy)
FUZZ_ROOMS_ttrpc  := $(rooms_containerd)
FUZZ_LIBS_ttrpc   := $(UNIT_LIBS_containerd)
FUZZ_ROOMS_grpc   := $(rooms_containerd)
FUZZ_LIBS_grpc    := $(UNIT_LIBS_containerd)
FUZZ_ROOMS_protobuf := $(rooms_base)
FUZZ_MORE_protobuf  := shim/containerd/message.c
FUZZ_LIBS_protobuf  := -l:libprotobuf-c.a
# What it begins with, of the folder beside the repository.
FUZZ_SEEDS_component := conformance/component
FUZZ_SEEDS_validate  := conformance/component
FUZZ_SEEDS_module    := conformance/core
FUZZ_SEEDS_translate := conformance/core
FUZZ_SECONDS         ?= 60

# fuzzer NAME
define fuzzer
$(B)/test/fuzz/$(1): $(call obj,fuzz,tests/fuzz/fuzz_$(1).c $(FUZZ_MORE_$(1)) $(filter-out %/main.c,$(call src,$(FUZZ_ROOMS_$(1)))))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_fuzz) -o $$@ $$^ $$(FUZZ_LIBS_$(1))
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))

ifneq ($(filter fuzz $(B)/test/fuzz/%,$(MAKECMDGOALS)),)
ifeq ($(shell $(CC) --version 2>/dev/null | grep -c clang),0)
$(error make fuzz needs clang, whose libFuzzer it links, and CC is $(CC): run make fuzz CC=clang-19)
endif
endif
## make fuzz       every libFuzzer target for FUZZ_SECONDS (60); corpora stay in the build folder
# fuzzing NAME: the lines of a recipe
define fuzzing
@mkdir -p $(B)/corpus/$(1)
@$(B)/test/fuzz/$(1) -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=$(B)/corpus/$(1)- \
    $(B)/corpus/$(1) $(wildcard $(addprefix $(SHARED)/,$(FUZZ_SEEDS_$(1))))

endef
fuzz: $(addprefix $(B)/test/fuzz/,$(FUZZERS))
	$(foreach f,$(FUZZERS),$(call fuzzing,$(f)))

# mutate reads modules that are cut short and damaged, mutate-component components; mutate-slow does
# so without the fast half of validation, and must come to the same verdicts.
MUTATE := tests/fuzz/mutate.c tests/fuzz/mutate_module.c $(BASE) $(filter-out $(wildcard engine/wasm/tr_*.c engine/wasm/translate*.c engine/wasm/wat*.c),$(call src,engine/wasm))
MUTATE_COMPONENT := tests/fuzz/mutate.c tests/fuzz/mutate_component.c $(call src,$(rooms_component))
$(foreach v,host asan ubsan,$(eval $(call spec,$(v),mutate,$(MUTATE)))$(eval $(call spec,$(v),mutate-component,$(MUTATE_COMPONENT))))
$(eval $(call spec,host,mutate-slow,$(filter-out %/validate_fast.c,$(MUTATE)) tests/fuzz/no_validate_fast.c))

## make diff       modules of wasm-opt -ttf here and in V8; DIFF='--count N --seed S ...'
$(foreach v,host asan ubsan,$(eval $(call spec,$(v),diff-run,tests/fuzz/diff/diff_run.c $(call src,$(rooms_exec)))))
.PHONY: diff
diff: $(B)/test/host/diff-run $(B)/test/many_opt.so
	@node tests/fuzz/diff/diff.mjs --runner $< --preload $(B)/test/many_opt.so $(DIFF)
$(B)/test/many_opt.so: tests/fuzz/diff/many_opt.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(filter-out -fPIE -march=%,$(CFLAGS_host)) -fPIC -shared -o $@ $<

# A carrel that builds cells without the walls that it is told: tests/wasi/walls/without.c.
$(B)/test/host/carrel-without: $(call obj,host,tests/wasi/walls/without.c $(RUNNER) $(SHIM) $(POLICIES) $(BASE))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -static-pie -Wl,--wrap=cell_plan_make -o $@ $^ $(RUNNER_LIBS)

# The engine taken over: every attack of tests/escape/attack.def. make escape.
$(eval $(call cellprogram,attacker,tests/escape/attacker.c))
$(B)/test/host/escape: $(call obj,host,tests/escape/escape.c tests/escape/own_host.c tests/policy/world.c $(FIXTURE) $(SHIM) $(POLICIES) $(BASE)) | $(B)/test/cell/attacker
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $(filter %.o,$^) $(UNIT_LIBS_shim)
# What the kernel says to every number and probe under every filter: it must be what the tables say.
$(B)/test/host/sweep: $(call obj,host,tests/escape/sweep.c tests/escape/own_host.c tests/policy/world.c $(POLICIES) $(BASE))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^ $(UNIT_LIBS_policy)
.PHONY: escape
escape: $(B)/test/host/escape $(B)/test/host/sweep
	@$(B)/test/host/sweep -v
	@$(B)/test/host/escape --walls

## make escape-qemu  the attacks under Debian 12's own kernel, in an emulated machine; KERNEL=FILE another
.PHONY: escape-qemu
escape-qemu: $(B)/test/host/escape $(B)/test/host/sweep $(LIVE) $(B)/test/cell/attacker
	@tests/escape/qemu.sh $(B)

# Start-up, against other launchers: make bench-start.
$(eval $(call cellprogram,ended,tests/bench/ended.c))
$(B)/test/cell/hello: $(call obj,cell,tests/bench/hello.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_cell) -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o $^ -L$(MUSL) -lc $(LIBGCC) $(MUSL)/crtn.o
$(B)/test/host/start_cell: $(call obj,host,tests/bench/start_cell.c $(SHIM) $(POLICIES) $(BASE))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^ $(RUNNER_LIBS)
$(B)/test/host/waiting: $(call obj,host,tests/bench/waiting.c $(SHIM) $(POLICIES) $(BASE))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^ $(RUNNER_LIBS)
$(B)/test/host/neighbour: $(call obj,host,tests/bench/neighbour.c tests/shim/script.c $(SHIM) $(POLICIES) $(BASE)) | $(B)/test/cell/engine
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^ $(RUNNER_LIBS)
$(B)/test/host/interleave: $(call obj,host,tests/bench/interleave.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
.PHONY: bench-containerd
## make bench-containerd   the shim of containerd against runc's and crun's; ROUNDS=20; as root
bench-containerd: all $(B)/test/cell/hello
	@SHARED=$(SHARED) tests/containerd/run.sh $(B) bench.mjs $(or $(ROUNDS),20)
	@SHARED=$(SHARED) tests/containerd/run.sh $(B) bench_ctr.mjs $(or $(ROUNDS),20)
## make containerd-versions   the tests with a real containerd, with those of newer releases of Debian; as root
.PHONY: containerd-versions
containerd-versions: all
	@SHARED=$(SHARED) tests/containerd/versions.sh $(B)
.PHONY: bench-start
bench-start: all $(addprefix $(B)/test/,cell/ended cell/hello host/start_cell host/waiting host/interleave host/neighbour)
	@tests/bench/start.sh $(B) $(or $(ROUNDS),200) $(wildcard $(SHARED)/components/dhello.wasm)

# Speed: kernels against native code and whatever engines are on PATH.
## make bench      the table of kernels by engines; ROUNDS=9, KERNELS='NAME...' some of them
KERNELS_C   := $(filter-out %/libc.c,$(wildcard tests/bench/kernels/*.c))
BENCH_BUILT := $(patsubst tests/bench/kernels/%.c,$(B)/bench/%,$(KERNELS_C))
BENCH_FLAGS := -O3 -ffp-contract=off $(WARN)
# Modules are always made by clang, whatever makes the rest; SIMD only where a kernel asks for it.
WASM_CC     ?= clang-19
$(B)/bench/%.wasm: tests/bench/kernels/%.c tests/bench/kernels/kernel.h tests/bench/kernels/libc.c
	@mkdir -p $(@D)
	$(call say,WASM,$@)
	$(Q)$(WASM_CC) --target=wasm32 -nostdlib -ffreestanding $(BENCH_FLAGS) -mbulk-memory -mnontrapping-fptoint -msign-ext \
	    $(if $(filter simd_%,$*),-msimd128) -Wl,--no-entry -Wl,-z,stack-size=65536 -o $@ $< tests/bench/kernels/libc.c
$(B)/bench/%.native: tests/bench/kernels/%.c tests/bench/kernels/kernel.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_FLAGS) -o $@ $<
bench: all $(addsuffix .wasm,$(BENCH_BUILT)) $(addsuffix .native,$(BENCH_BUILT)) $(B)/test/host/interleave
	@SHARED=$(SHARED) node tests/bench/table.mjs $(B) $(or $(ROUNDS),9) $(KERNELS)
	@$(MAKE) --no-print-directory bench-io ROUNDS=$(or $(ROUNDS),5)

# Start-up and speed as the README tells them.
## make bench-readme  start-up and kernels, put into the README's table; STARTS=200 ROUNDS=9
.PHONY: bench-readme
bench-readme: all $(addprefix $(B)/test/,cell/ended cell/hello host/start_cell host/waiting host/interleave host/neighbour) \
              $(addsuffix .wasm,$(BENCH_BUILT)) $(addsuffix .native,$(BENCH_BUILT))
	@SHARED=$(SHARED) node tests/bench/readme.mjs $(B) README.md $(SHARED)/components/dhello.wasm \
	    --starts $(or $(STARTS),200) --rounds $(or $(ROUNDS),9)

# Files, pipes, sockets and paths against the same loops in C.
## make bench-io   throughput and latency of what components do with the host; ROUNDS=5, KINDS='NAME...'
.PHONY: bench-io
$(B)/test/host/io: $(call obj,host,tests/bench/io.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
bench-io: all $(B)/test/host/io
	@node tests/bench/io.mjs $(B) $(or $(ROUNDS),5) $(KINDS)

# Serving, beside nginx and node, where nginx, wrk and h2load are on PATH (packaging/deps bench): make bench-serve, with
# BENCH='--only start' some of it.
.PHONY: bench-serve
$(B)/test/host/first: $(call obj,host,tests/bench/first.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
bench-serve: all $(B)/test/host/first
	@node tests/bench/serve.mjs $(B) $(SHARED)/components $(BENCH)

# How what a request wrote is undone: make bench-restore.
.PHONY: bench-restore
$(B)/test/host/restore: $(call obj,host,tests/bench/restore.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
bench-restore: $(B)/test/host/restore
	@$< $(or $(ROUNDS),1000)

# The engine without a cell, linked as it ships: make bench-alone.
$(B)/test/cell/alone: $(call obj,cell,tests/bench/alone.c tests/bench/program.c $(ENGINE_LIB))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_cell) -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o $^ -L$(MUSL) -lc $(LIBGCC) $(MUSL)/crtn.o
# The same under sanitizers, for kernels.
$(foreach v,asan ubsan,$(eval $(call spec,$(v),alone,tests/bench/alone.c tests/bench/program.c $(call src,$(rooms_wasi)))))
asan ubsan: %: $(B)/test/%/alone $(addsuffix .wasm,$(BENCH_BUILT))
.PHONY: bench-alone
bench-alone: $(B)/test/cell/alone $(B)/test/host/interleave
	@tests/bench/alone.sh $(B) $(or $(ROUNDS),9) $(FILES)

# What limits cost that are never reached, by kernels: make bench-limits; ROUNDS=9, FILES='MODULE...' others.
.PHONY: bench-limits
bench-limits: $(B)/test/cell/alone $(B)/test/host/interleave $(addsuffix .wasm,$(BENCH_BUILT))
	@tests/bench/limits.sh $(B) $(or $(ROUNDS),9) $(or $(FILES),$(addsuffix .wasm,$(BENCH_BUILT)) $(wildcard $(SHARED)/bench/*.wasm))

# Loading and calls of components: make bench-load, make bench-calls.
$(B)/test/host/load: $(call obj,host,tests/bench/load.c $(call src,$(rooms_component)))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^
$(B)/test/cell/calls: $(call obj,cell,tests/bench/calls.c engine/cell/copy.c $(call src,$(rooms_component)))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_cell) -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o $^ -L$(MUSL) -lc $(LIBGCC) $(MUSL)/crtn.o
.PHONY: bench-load bench-calls
bench-calls: $(B)/test/cell/calls
	@$< tests/bench/calls.wasm
bench-load: $(B)/test/host/load
	@$< $(wildcard $(SHARED)/components/*.wasm)

# Where the functions of the engine lie: x86-64 alone has a program that finds out.
## make start-order   which functions of engine and command a start goes through, into their start.order
.PHONY: start-order
start-order: all $(B)/test/host/reached
	@tests/bench/reached.sh $(B) $(SHARED)/components carrel-engine >$(B)/start.order && [ -s $(B)/start.order ] && cp $(B)/start.order engine/start.order
	@tests/bench/reached.sh $(B) $(SHARED)/components carrel >$(B)/start.order && [ -s $(B)/start.order ] && cp $(B)/start.order runner/start.order
$(B)/test/host/reached: $(call obj,host,tests/bench/reached.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_host) -o $@ $^

# The rows of fuse.def: what runs in a row, counted in programs that need nothing or WASI preview 1.
## make pairs      PROGRAMS='FILE...': counts what they and those of tests/bench/training run, and writes the rows
##                 that save most to build/pairs
PAIRS ?= --rows 2600 --likely 500 --jumps 400
LEVELS := O2 O3 Os
TRAINING := $(foreach o,$(LEVELS),$(patsubst tests/bench/training/%.c,$(B)/bench/training/%-$(o).wasm,$(wildcard tests/bench/training/*.c)))
# training LEVEL
define training
$(B)/bench/training/%-$(1).wasm: tests/bench/training/%.c tests/bench/training/training.h tests/bench/kernels/libc.c
	@mkdir -p $$(@D)
	$$(call say,WASM,$$@)
	$$(Q)$$(WASM_CC) --target=wasm32 -nostdlib -ffreestanding -$(1) $$(WARN) -mbulk-memory -mnontrapping-fptoint -msign-ext \
	    -Wl,--no-entry -Wl,-z,stack-size=65536 -o $$@ $$< tests/bench/kernels/libc.c
endef
$(foreach o,$(LEVELS),$(eval $(call training,$(o))))
$(B)/test/count/count: $(call obj,count,tests/bench/count.c tests/bench/program.c $(call src,$(rooms_wasi)))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_count) -o $@ $^
.PHONY: pairs
pairs: $(B)/test/count/count $(TRAINING)
	@mkdir -p $(B)/pairs
	@for p in $(TRAINING) $(PROGRAMS); do $(B)/test/count/count $$p $(B)/pairs/$$(basename $$p .wasm).txt >/dev/null || exit 1; done
	@node tests/bench/pairs.mjs $(PAIRS) $(B)/pairs/*.txt >$(B)/pairs/fuse.def

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
