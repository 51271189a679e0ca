#!/bin/sh
# A Docker engine on a Debian machine: `engine.sh start` installs and starts one where none answers, `engine.sh stop` ends the one that
# it started. Ports of containers are published on the loopback address only. Needs root.
set -eu
pid_file=/run/sidestep-dockerd.pid
log_file=/var/log/sidestep-dockerd.log

start() {
  if docker info >/dev/null 2>&1; then
    echo 'a Docker engine answers' >&2
    return
  fi
  if ! command -v dockerd >/dev/null; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends docker.io iptables
  fi
  mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
  setsid dockerd --ip 127.0.0.1 --pidfile "$pid_file" >"$log_file" 2>&1 </dev/null &
  tries=0
  until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 60 ]; then
      echo "dockerd does not answer; the end of $log_file:" >&2
      tail -n 20 "$log_file" >&2
      exit 1
    fi
    sleep 1
  done
}

stop() {
  [ -f "$pid_file" ] || return 0
  pid=$(cat "$pid_file")
  kill "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *) echo 'usage: engine.sh start|stop' >&2; exit 2 ;;
esac
