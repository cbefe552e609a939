# Checks HEAD out, in a repository that has all that it needs.
exec 2>&1
git checkout --progress -f --no-recurse-submodules || exit 1
