#!/bin/sh
# Makes the users and roles with which etcd holds the members of a cluster to their own keys. What is there already stays as it is, but for
# passwords, which are set anew. Passwords come from files: nobody sees them on a command line.
#
#   set-up.sh init ROOT_PASSWORD_FILE COORDINATORS_PASSWORD_FILE      makes root and the coordinators' user, and turns authentication on; again after
#                                                                     an update, for what the new release needs
#   set-up.sh dial-out ROOT_PASSWORD_FILE                             where nodes dial out: coordinators keep the records of those
#   set-up.sh shared ROOT_PASSWORD_FILE                               after `capstan cluster init --shared`: coordinators keep tokens and certificates
#   set-up.sh node ROOT_PASSWORD_FILE NAME NODE_PASSWORD_FILE         for each node, by the name that `capstan node --name` gives it
#
# ENDPOINTS (http://127.0.0.1:2379) says where etcd is, PREFIX (/capstan/v1/) how keys begin; ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY
# are for TLS. A member names its user in config.toml:
#
#   [registry]
#   username = "capstan-node-NAME"            # or capstan-coordinator
#   password_file = "/etc/capstan/etcd.password"
set -eu

usage() { sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2; }

export ETCDCTL_API=3
endpoints=${ENDPOINTS:-http://127.0.0.1:2379}
prefix=${PREFIX:-/capstan/v1/}

# etcdctl as root; before authentication is on, etcd takes no notice of who asks.
ctl() { ETCDCTL_USER=root ETCDCTL_PASSWORD=$(cat "$root") etcdctl --endpoints "$endpoints" "$@"; }

# A user with the password of a file.
user() {
    if ctl user list | grep -qx "$1"; then
        ctl user passwd "$1" --interactive=false <"$2" >/dev/null
    else
        ctl user add "$1" --interactive=false <"$2" >/dev/null
    fi
}

# A role, which the user of the same name gets.
role() {
    ctl role list | grep -qx "$1" || ctl role add "$1" >/dev/null
    ctl user grant-role "$1" "$1" >/dev/null
}

case ${1:-} in
init)
    [ $# = 3 ] || usage
    root=$2
    user root "$root"
    role root
    user capstan-coordinator "$3"
    role capstan-coordinator
    ctl role grant-permission --prefix=true capstan-coordinator read "${prefix}nodes/" >/dev/null
    ctl role grant-permission --prefix=true capstan-coordinator readwrite "${prefix}coordinators/" >/dev/null
    ctl role grant-permission --prefix=true capstan-coordinator readwrite "${prefix}orders/" >/dev/null
    ctl auth enable
    ;;
dial-out)
    [ $# = 2 ] || usage
    root=$2
    ctl role grant-permission --prefix=true capstan-coordinator readwrite "${prefix}nodes/" >/dev/null
    echo "user capstan-coordinator may read and write ${prefix}nodes/"
    ;;
shared)
    [ $# = 2 ] || usage
    root=$2
    for kind in tokens used certificates denied; do
        ctl role grant-permission --prefix=true capstan-coordinator readwrite "${prefix}${kind}/" >/dev/null
    done
    echo "user capstan-coordinator may read and write the records of the cluster's authority"
    ;;
node)
    [ $# = 4 ] || usage
    root=$2
    user "capstan-node-$3" "$4"
    role "capstan-node-$3"
    ctl role grant-permission "capstan-node-$3" readwrite "${prefix}nodes/$3" >/dev/null
    echo "user capstan-node-$3 may read and write ${prefix}nodes/$3"
    ;;
*) usage ;;
esac
