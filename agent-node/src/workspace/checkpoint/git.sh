set -u
IFS='
'
set -f
S=$CAPSTAN_SCRATCH
fail() { printf '\0'; tail -n 3 "$S/err"; exit 3; }
say() { printf '\0%s' "$1"; exit "${2:-3}"; }
exec 2>"$S/err"
command -v git >/dev/null || say 'git is not installed on this host'

# What there is of a repository. Nothing of it is written, and of its configuration nothing is obeyed later on.
format=sha1 objects='' index='' top=$(pwd -P)
repository() { top=$1 index=$2 objects=$3 info=$4 format=$5; }
if paths=$(git rev-parse --path-format=absolute --show-toplevel --git-path index --git-path objects --git-path info --show-object-format); then
  repository $paths
fi
: >"$S/err"

# What was worked upon, for whoever makes a commit of what changed. Only asked for when it is noted.
head=''
if [ "$CAPSTAN_DO" = take ]; then head=$(git rev-parse -q --verify 'HEAD^{commit}'); fi
: >"$S/err"

# The arguments are paths that are hidden from the thread's sessions. From here on they are pathspecs that leave them out.
[ $# -eq 0 ] || shift
for place; do
  shift
  case $place in "$top"/*) set -- "$@" ":(top,exclude,literal)${place#"$top"/}" ;; esac
done

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

# Takes what is hidden out of the index: no state holds it, so that no diff shows it and nothing brings it back.
forget() {
  [ $# -gt 0 ] || return 0
  for place; do
    shift
    set -- "$@" ":(top,literal)${place#*)}"
  done
  git rm -r -f -q --cached --ignore-unmatch -- "$@" || fail
}
# Makes `tree` the tree of that name without what is hidden now: it may have been noted under a policy that hid less.
shown() {
  tree=$1
  shift
  if [ -z "$tree" ] || [ $# -eq 0 ]; then return 0; fi
  export GIT_INDEX_FILE="$S/shown"
  rm -f "$S/shown" "$S/shown.lock"
  git read-tree "$tree" || fail
  forget "$@"
  tree=$(git write-tree) || fail
  rm -f "$S/shown"
  export GIT_INDEX_FILE="$S/index"
}
bounded() {
  # A line each: what would break a line in a name is quoted.
  new=$(git ls-files -o --exclude-standard -- . "$@" | wc -l) || fail
  if [ "$new" -gt "$CAPSTAN_FILES" ]; then say "it has more than $CAPSTAN_FILES files that no .gitignore excludes" 4; fi
  if [ "$new" -gt 0 ]; then
    bytes=$(git ls-files -z -o --exclude-standard -- . "$@" | xargs -0 ls -dln -- | awk '{ s += $5 } END { printf "%.0f", s }')
    if [ "${bytes:-0}" -gt "$CAPSTAN_BYTES" ]; then say "its files have more than $CAPSTAN_BYTES bytes that no .gitignore excludes" 4; fi
  fi
}
add() { git add -A --ignore-errors -- . "$@" || [ $? -eq 1 ]; }
state() {
  # An index that cannot be used costs a look at every file, and nothing else.
  if [ -e "$S/index" ]; then git ls-files -s -- . >/dev/null || rm -f "$S/index"; fi
  forget "$@"
  bounded "$@"
  add "$@" || fail
  now=$(git write-tree) || fail
}

case $CAPSTAN_DO in
take)
  state "$@"
  printf '%s\0%s' "$now" "$head"
  ;;
patch)
  # In a file, because it may have any size. Whoever asked for it takes it away.
  rm -f "$S/patch"
  shown "$CAPSTAN_TO" "$@"
  now=$tree
  if [ -z "$now" ]; then state "$@"; fi
  shown "$CAPSTAN_FROM" "$@"
  git diff-tree -r -p -M --binary --full-index --no-ext-diff --no-textconv --no-color --src-prefix=a/ --dst-prefix=b/ \
    --submodule=short "$tree" "$now" >"$S/patch" || fail
  files=$(git diff-tree -r -M --name-only -z "$tree" "$now" | tr -dc '\0' | wc -c)
  printf '\0%s %d' "$now" "$files"
  ;;
diff)
  shown "$CAPSTAN_TO" "$@"
  now=$tree
  if [ -z "$now" ]; then state "$@"; fi
  shown "$CAPSTAN_FROM" "$@"
  if [ "$tree" = "$now" ]; then
    printf '\0%s 0 0' "$now"
    exit 0
  fi
  git diff-tree -r -p -M --no-ext-diff --no-textconv --no-color --src-prefix=a/ --dst-prefix=b/ --submodule=short \
    "$tree" "$now" >"$S/diff" || fail
  size=$(wc -c <"$S/diff")
  files=$(git diff-tree -r -M --name-only "$tree" "$now" | wc -l)
  head -c "$CAPSTAN_MAX" "$S/diff"
  rm -f "$S/diff"
  printf '\0%s %d %d' "$now" "$size" "$files"
  ;;
changed)
  state "$@"
  shown "$CAPSTAN_FROM" "$@"
  if [ -n "$tree" ]; then git diff-tree -r --name-only "$tree" "$now" | head -c "$CAPSTAN_MAX"; fi
  printf '\0%s %s' "$now" "$tree"
  ;;
restore)
  forget "$@"
  shown "$CAPSTAN_TO" "$@"
  # Of the workspace alone: a repository around it has files that may not be written, and are none of the thread's.
  if [ "$tree" != "$CAPSTAN_FROM" ]; then
    git restore -q --source="$tree" --staged --worktree --no-overlay --ignore-unmerged -- . "$@" || fail
  fi
  add "$@" || fail
  now=$(git write-tree) || fail
  git diff-tree -r --name-only "$CAPSTAN_FROM" "$now" | head -c "$CAPSTAN_MAX"
  printf '\0%s %s' "$now" "$tree"
  ;;
esac
