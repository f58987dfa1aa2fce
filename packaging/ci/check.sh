#!/bin/sh
# Refuses components that demand more than a policy allows:
#   packaging/ci/check.sh POLICY FILE...
# Exit codes: 0 all is within the policy, 3 something demands more (a line for each), others: a file could
# not be read or judged.
set -u
[ $# -ge 2 ] || { echo "usage: $0 POLICY FILE..." >&2; exit 125; }
policy=$1
shift
"${CARREL:-carrel}" audit --check "$policy" "$@"
code=$?
[ $code -ne 3 ] || echo "$0: more is demanded than $policy allows" >&2
exit $code
