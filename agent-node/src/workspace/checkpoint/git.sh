set -u
IFS='
'
set -f
S=$CAPSTAN_SCRATCH
fail() { printf '\0'; tail -n 3 "$S/err"; exit 3; }
say() { printf '\0%s' "$1"; exit 3; }
exec 2>"$S/err"
command -v git >/dev/null || say 'git is not installed on this host'

# What there is of a repository. Nothing of it is written, and of its configuration nothing is obeyed later on.
format=sha1 objects='' index='' top=$(pwd -P)
if paths=$(git rev-parse --path-format=absolute --show-toplevel --git-path index --git-path objects --git-path info --show-object-format); then
  set -- $paths
  top=$1 index=$2 objects=$3 info=$4 format=$5
fi
: >"$S/err"

if [ ! -f "$S/ready" ]; then
  # Asked first, here and below: to start a program costs more than all that the shell does by itself.
  if [ -e "$S/git" ] || [ -e "$S/index" ]; then rm -rf "$S/git" "$S/index"; fi
  mkdir -p "$S/git/refs" "$S/git/objects/info" "$S/git/info" || fail
  printf 'ref: refs/heads/none\n' >"$S/git/HEAD" || fail
  if [ "$format" = sha256 ]; then
    printf '[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n' >"$S/git/config" || fail
  else
    printf '[core]\n\trepositoryformatversion = 0\n\tbare = false\n' >"$S/git/config" || fail
  fi
  # Its index spares reading files that have not changed. With attributes or line ends to convert, what it names is not what is in the files.
  if [ -f "$index" ] && [ ! -e "$info/attributes" ] && [ ! -e "$top/.gitattributes" ] &&
    [ -z "$(git ls-files ':(top,glob)**/.gitattributes' | head -n 1)" ]; then
    case $(git config --get core.autocrlf) in '' | false) cp -p -- "$index" "$S/index" ;; esac
  fi
  : >"$S/ready" || fail
fi
if [ -n "$objects" ]; then
  printf '%s\n' "$objects" >"$S/git/objects/info/alternates" || fail
  if [ -f "$info/exclude" ]; then cp -- "$info/exclude" "$S/git/info/exclude"; fi
fi
# What a script before this one left that was killed.
if [ -e "$S/index.lock" ]; then rm -f "$S/index.lock"; fi

export GIT_DIR="$S/git" GIT_WORK_TREE="$top" GIT_INDEX_FILE="$S/index"
# No file's attributes: contents are kept byte for byte.
case $format in
  sha256) export GIT_ATTR_SOURCE=6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321 ;;
  *) export GIT_ATTR_SOURCE=4b825dc642cb6eb9a060e54bf8d69288fbee4904 ;;
esac

bounded() {
  # A line each: what would break a line in a name is quoted.
  new=$(git ls-files -o --exclude-standard -- . | wc -l) || fail
  if [ "$new" -gt "$CAPSTAN_FILES" ]; then say "it has more than $CAPSTAN_FILES files that no .gitignore excludes"; fi
  if [ "$new" -gt 0 ]; then
    bytes=$(git ls-files -z -o --exclude-standard -- . | xargs -0 ls -dln -- | awk '{ s += $5 } END { printf "%.0f", s }')
    if [ "${bytes:-0}" -gt "$CAPSTAN_BYTES" ]; then say "its files have more than $CAPSTAN_BYTES bytes that no .gitignore excludes"; fi
  fi
}
add() { git add -A --ignore-errors -- . || [ $? -eq 1 ]; }
state() {
  # An index that cannot be used costs a look at every file, and nothing else.
  if [ -e "$S/index" ]; then git ls-files -s -- . >/dev/null || rm -f "$S/index"; fi
  bounded
  add || fail
  now=$(git write-tree) || fail
}

case $CAPSTAN_DO in
take)
  state
  printf '%s' "$now"
  ;;
diff)
  now=$CAPSTAN_TO
  if [ -z "$now" ]; then state; fi
  if [ "$CAPSTAN_FROM" = "$now" ]; then
    printf '\0%s 0 0' "$now"
    exit 0
  fi
  git diff-tree -r -p -M --no-ext-diff --no-textconv --no-color --src-prefix=a/ --dst-prefix=b/ --submodule=short \
    "$CAPSTAN_FROM" "$now" >"$S/diff" || fail
  size=$(wc -c <"$S/diff")
  files=$(git diff-tree -r -M --name-only "$CAPSTAN_FROM" "$now" | wc -l)
  head -c "$CAPSTAN_MAX" "$S/diff"
  rm -f "$S/diff"
  printf '\0%s %d %d' "$now" "$size" "$files"
  ;;
changed)
  state
  if [ -n "$CAPSTAN_FROM" ]; then git diff-tree -r --name-only "$CAPSTAN_FROM" "$now" | head -c "$CAPSTAN_MAX"; fi
  printf '\0%s' "$now"
  ;;
restore)
  git read-tree -u --reset "$CAPSTAN_TO" || fail
  add || fail
  now=$(git write-tree) || fail
  git diff-tree -r --name-only "$CAPSTAN_FROM" "$now" | head -c "$CAPSTAN_MAX"
  printf '\0%s' "$now"
  ;;
esac
