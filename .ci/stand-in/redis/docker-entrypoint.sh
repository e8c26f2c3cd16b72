#!/bin/sh
# The contract of the official Redis image's entrypoint, for the stand-in.
set -e

# Options, or a configuration file, are the server's arguments.
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- redis-server "$@"
fi

if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis {} +
  exec setpriv --reuid redis --regid redis --init-groups "$0" "$@"
fi

# The official server is built with protected mode off, else it would refuse every client from outside its
# container. Here the setting goes after a configuration file, which must stay first, and before the options;
# where the server is only asked something, the question must stay first.
if [ "$1" = redis-server ]; then
  [ "$(umask)" != 0022 ] || umask 0077
  shift
  case ${1:-} in
    -v | --version | -h | --help | --test-memory | --check-system) set -- redis-server "$@" ;;
    '' | -*) set -- redis-server --protected-mode no "$@" ;;
    *)
      file=$1
      shift
      set -- redis-server "$file" --protected-mode no "$@"
      ;;
  esac
fi
exec "$@"
