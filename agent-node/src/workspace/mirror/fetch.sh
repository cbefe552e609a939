# Brings what a repository has into the new one in this directory, which borrows the objects of the mirror.
# CAPSTAN_REVISION may be empty; CAPSTAN_HISTORY is whole, blobless or a number of commits; CAPSTAN_REPACK says whether all objects are to be
# in one pack afterwards. It fails with exit code 5 where there is no such revision, and with 6 where there is no commit.
exec 3<&0 </dev/null
# What is on this host's own loopback is reached by the proxy as well.
unset NO_PROXY no_proxy
GIT_DIR=$PWD; export GIT_DIR
revision=$CAPSTAN_REVISION
[ "$revision" != HEAD ] || revision=
quiet="--no-tags --no-write-fetch-head --no-auto-maintenance --no-recurse-submodules"
commit_of() { git rev-parse -q --verify "$1^{commit}" 2>/dev/null; }
head= branch= commit= listed=
names() { listed=$(git ls-remote --symref origin "$@") || exit 1; }
tab=$(printf '\t')
head_of() {
    head=$(printf '%s\n' "$listed" | sed -n "s,^ref: \(refs/heads/[^$tab]*\)${tab}HEAD\$,\1,p")
    at=$(printf '%s\n' "$listed" | sed -n "s,^\([0-9a-f]*\)${tab}HEAD\$,\1,p")
    [ -n "$at" ] || exit 6
}
is_listed() { printf '%s\n' "$listed" | grep -qxE "[0-9a-f]+$tab$(printf %s "$1" | sed 's/[.+]/\\&/g')"; }
whole_hash() { [ "${#revision}" = 40 ] && case $revision in *[!0-9a-f]*) false;; esac; }

case $CAPSTAN_HISTORY in
whole|blobless)
    filter=
    [ "$CAPSTAN_HISTORY" = whole ] || filter=--filter=blob:none
    if [ -z "$revision" ]; then names HEAD; head_of; fi
    if ! { whole_hash && commit_of "$revision" >/dev/null; }; then
        git fetch --progress --prune $quiet $filter origin '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' || exit 1
    fi
    if [ -n "$revision" ] && ! commit_of "refs/heads/$revision" >/dev/null && ! commit_of "refs/tags/$revision" >/dev/null &&
        ! commit_of "$revision" >/dev/null; then
        if ! whole_hash; then case $revision in refs/*) ;; *) exit 5;; esac; fi
        git fetch --progress $quiet $filter origin "+$revision:refs/capstan/$revision" || exit 5
        [ "${revision#refs/}" = "$revision" ] || revision=refs/capstan/$revision
    fi
    ;;
*)
    names
    if [ -z "$revision" ]; then head_of; want=${head:-$at}
    elif is_listed "refs/heads/$revision"; then want=refs/heads/$revision
    elif is_listed "refs/tags/$revision"; then want=refs/tags/$revision
    elif is_listed "$revision" || whole_hash; then want=$revision
    else exit 5; fi
    case $want in refs/heads/*|refs/tags/*) to=$want;; *) to=refs/capstan/$want;; esac
    git fetch --progress $quiet --depth="$CAPSTAN_HISTORY" origin "+$want:$to" || { is_listed "$want" && exit 1; exit 5; }
    [ -z "$revision" ] && [ -z "$head" ] || [ "${to#refs/capstan/}" = "$to" ] || revision=$to
    ;;
esac

if [ -n "$head" ]; then commit=$(commit_of "$head"); branch=${head#refs/heads/}
elif [ -z "$revision" ]; then commit=$(commit_of "$at")
elif commit=$(commit_of "refs/heads/$revision"); then branch=$revision
elif commit=$(commit_of "refs/tags/$revision"); then :
else
    commit=$(commit_of "$revision")
    case $revision in refs/heads/*) branch=${revision#refs/heads/};; esac
fi
[ -n "$commit" ] || exit 5

if [ "$CAPSTAN_HISTORY" = blobless ]; then
    # What the revision itself holds is brought now: later there is neither a network nor a credential.
    git rev-list --objects --missing=print --no-walk "$commit" | sed -n 's/^?//p' >missing
    if [ -s missing ]; then
        git -c fetch.negotiationAlgorithm=noop fetch --progress $quiet --filter=blob:none --stdin origin <missing || exit 1
    fi
    rm -f missing
fi
git pack-refs --all || exit 1
[ -z "$CAPSTAN_REPACK" ] || git repack -a -q || exit 1
printf '\0commit=%s\nbranch=%s\nhead=%s\n' "$commit" "$branch" "$head"
