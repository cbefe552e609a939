set -u
fail() { printf '\0'; tail -n 3 "$CAPSTAN_SCRATCH/err"; exit 3; }
exec 2>"$CAPSTAN_SCRATCH/err"
export GIT_INDEX_FILE="$CAPSTAN_SCRATCH/index" GIT_OBJECT_DIRECTORY="$CAPSTAN_SCRATCH/objects"
git add -A --ignore-errors -- . || [ $? -eq 1 ] || fail
now=$(git write-tree) || fail
{
  git diff-tree -r -p -M --no-ext-diff --no-textconv --no-color --src-prefix=a/ --dst-prefix=b/ --submodule=short \
    "$CAPSTAN_TREE" "$now"
  echo $? >"$CAPSTAN_SCRATCH/status"
} | head -c "$CAPSTAN_MAX"
read -r status <"$CAPSTAN_SCRATCH/status" || fail
case $status in 0 | 141) ;; *) fail ;; esac
