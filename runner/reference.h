/* Names of images. */
#ifndef CARREL_RUNNER_REFERENCE_H
#define CARREL_RUNNER_REFERENCE_H

#include <stdbool.h>

/* Is it a name for an image, [HOST[:PORT]/]PATH[:TAG], as containerd and registries take it?
 * (github.com/distribution/reference; without a digest, which an image has by itself.) */
bool reference_valid(const char *name);

#endif
