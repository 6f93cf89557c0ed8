"""``make demo``: a container with real daemons, without docker: boot, kill, come back, stop."""
