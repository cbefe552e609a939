set -u
left=$CAPSTAN_TOTAL
for path; do
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then echo missing; continue; fi
  real=$(readlink -f -- "$path") || { echo outside; continue; }
  case $real/ in "$CAPSTAN_ROOT"/*) ;; *) echo outside; continue ;; esac
  if [ ! -e "$real" ]; then echo dangling; continue; fi
  if [ ! -f "$real" ]; then echo other; continue; fi
  if [ ! -r "$real" ]; then echo closed; continue; fi
  size=$(stat -c %s -- "$real") || { echo closed; continue; }
  take=$CAPSTAN_MAX
  [ "$take" -le "$left" ] || take=$left
  printf 'content %s ' "$size"
  head -c "$take" -- "$real" | base64 -w 0
  echo
  [ "$size" -ge "$take" ] || take=$size
  left=$((left - take))
done
