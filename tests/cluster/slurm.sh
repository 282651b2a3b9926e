#!/usr/bin/env bash
# A SLURM cluster on this machine alone, for tests: a controller and virtual nodes n1, n2, ... with one pretended GPU each,
# on loopback, without systemd, cgroups or an accounting database. All of it lives in one folder (which everybody may
# enter, since munge insists); nothing of the system's own SLURM configuration is read or written.
#
#   slurm.sh install                       Debian's packages, if they are missing and this is root; else it says why not
#   slurm.sh up FOLDER                     write the configuration, start everything, wait until each node runs a job
#   slurm.sh controller|node N FOLDER      start that daemon (again)
#   slurm.sh down FOLDER                   cancel the jobs and stop the daemons
#
# NODES, CPUS, MEMORY (MB a node) and PORT (the first of NODES + 1) may be set. A client needs SLURM_CONF=FOLDER/slurm.conf,
# and FOLDER/bin first on its PATH: Snakemake hides SLURM's variables from the inner srun, so that one is told again there.
set -euo pipefail
NODES=${NODES:-2} CPUS=${CPUS:-4} MEMORY=${MEMORY:-6000} PORT=${PORT:-26817}

install() {
  if type slurmctld slurmd munged sbatch srun >/dev/null 2>&1; then return 0; fi
  if [ "$(id -u)" != 0 ]; then echo "SLURM is not installed, and only root can install it"; return 3; fi
  if ! type apt-get >/dev/null 2>&1; then echo "SLURM is not installed, and there is no apt-get"; return 3; fi
  local get="apt-get install -y -q --no-install-recommends slurmctld slurmd slurm-client munge"
  export DEBIAN_FRONTEND=noninteractive
  $get >/dev/null 2>&1 || { apt-get update -q >/dev/null 2>&1 && $get >/dev/null 2>&1; } ||
    { echo "apt-get cannot install slurmctld, slurmd, slurm-client and munge"; return 3; }
}

configure() {
  local host; host=$(hostname -s)
  mkdir -p "$FOLDER/bin" "$FOLDER/state"
  printf '#!/bin/sh\nSLURM_CONF="%s" exec "%s" "$@"\n' "$SLURM_CONF" "$(command -v srun)" > "$FOLDER/bin/srun"
  chmod +x "$FOLDER/bin/srun"
  (umask 077; head -c 256 /dev/urandom > "$FOLDER/munge.key")
  echo "NodeName=n[1-$NODES] Name=gpu File=/dev/null" > "$FOLDER/gres.conf"   # any character device passes for a GPU
  cat > "$SLURM_CONF" <<CONF
ClusterName=refashion
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$PORT
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
NodeName=n[1-$NODES] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((PORT + 1))-$((PORT + NODES))] CPUs=$CPUS RealMemory=$MEMORY Gres=gpu:1
PartitionName=gpu Nodes=ALL Default=YES MaxTime=600 DefaultTime=10 DefMemPerCPU=500
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge.socket
CredType=cred/munge
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/spool.%n
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/slurmd.%n.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/slurmd.%n.log
JobCompType=jobcomp/filetxt
JobCompLoc=$FOLDER/finished-jobs.txt
AccountingStorageType=accounting_storage/none
# One CPU, GPU or megabyte is given to one job at a time; who takes more memory than was asked for is killed.
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
# A stopped job has 20 s before it is killed; a silent node is dead after 15 s; finished jobs are remembered.
KillWait=20
SlurmdTimeout=15
SlurmctldTimeout=60
MinJobAge=3600
ReturnToService=2
CONF
}

controller() { slurmctld -f "$SLURM_CONF" 2>>"$FOLDER/start.log"; }

node() { CLUSTER_NODE="n$1" slurmd -f "$SLURM_CONF" -N "n$1" 2>>"$FOLDER/start.log"; }

up() {
  configure
  munged --socket="$FOLDER/munge.socket" --key-file="$FOLDER/munge.key" --seed-file="$FOLDER/munge.seed" \
    --log-file="$FOLDER/munged.log" --pid-file="$FOLDER/munged.pid"
  controller
  for number in $(seq "$NODES"); do node "$number"; done
  timeout 60 srun --quiet --nodes="$NODES" true
}

stop() {  # PID file, name: end that daemon, if the process of this number still is it
  local pid; pid=$(cat "$1" 2>/dev/null) || return 0
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]; then
    kill "$pid"
    for _ in $(seq 100); do [ -d "/proc/$pid" ] || break; sleep 0.1; done
    if [ -d "/proc/$pid" ]; then kill -9 "$pid"; fi
  fi
  rm -f "$1"
}

down() {
  timeout 10 scancel --user="$(id -un)" 2>/dev/null || true
  for _ in $(seq 60); do [ -z "$(timeout 5 squeue --noheader 2>/dev/null)" ] && break; sleep 0.5; done
  for pid in "$FOLDER"/slurmd.*.pid; do stop "$pid" slurmd; done
  stop "$FOLDER/slurmctld.pid" slurmctld
  stop "$FOLDER/munged.pid" munged
}

FOLDER=${!#}
export SLURM_CONF="$FOLDER/slurm.conf"
case "$1" in
  install | up | down | controller) "$1" ;;
  node) node "$2" ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
