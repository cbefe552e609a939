set -u
IFS='
'
set -f
fail() { printf '\0'; tail -n 3 "$CAPSTAN_SCRATCH/err"; exit 3; }
exec 2>"$CAPSTAN_SCRATCH/err"
command -v git >/dev/null || { printf '\0git is not installed on this host'; exit 3; }
paths=$(git rev-parse --path-format=absolute --show-toplevel --git-path index --git-path objects) || fail
set -- $paths
if [ -f "$2" ]; then cp -p -- "$2" "$CAPSTAN_SCRATCH/index" || fail; fi
printf '%s\n' "$3" >"$CAPSTAN_SCRATCH/objects/info/alternates" || fail
export GIT_INDEX_FILE="$CAPSTAN_SCRATCH/index" GIT_OBJECT_DIRECTORY="$CAPSTAN_SCRATCH/objects"
git add -A --ignore-errors -- . || [ $? -eq 1 ] || fail
git write-tree || fail
