/* The commands of carrel. Each returns the exit code. */
#ifndef CARREL_RUNNER_COMMAND_H
#define CARREL_RUNNER_COMMAND_H

#include "runner/options.h"

/* Runs a component in a cell; may end the process by the signal that ended the run. */
int command_run(const struct options *options, char **operands, size_t count);

/* Answers HTTP requests with a component in a cell, until it is told to end. */
int command_serve(const struct options *options, char **operands, size_t count);

/* Prints what components can do. The worst exit code of all files. */
int command_audit(const struct options *options, char **operands, size_t count);

/* Prints what is inside a component or a module. */
int command_inspect(const struct options *options, char **operands, size_t count);

/* Prints which walls can be built here. 0 if all that are required stand. */
int command_doctor(const struct options *options, char **operands, size_t count);

/* Writes an OCI image of a component. */
int command_pack(const struct options *options, char **operands, size_t count);

/* Becomes the program that has the commands of an OCI runtime. */
int command_oci(char **operands, size_t count);

#endif
