"""What the tests are written with.

- `tree`: directory trees from a dictionary;
- `witness`: ready-made `run` and `finish` scripts that record what happens to them;
- `signals`: none ignored, whoever runs the tests;
- `process`: the facts of a process as the kernel tells them;
- `waiting`: wait for a fact, with a deadline; never sleep;
- `status`: the status and death tally files, decoded without a line of the code under test;
- `events`: an independent subscriber to fifodirs;
- `programs`: the two sets of programs, ours and the originals;
- `logs`: loggers, and what is in their directories;
- `running`: supervisors and scanners, and the proof that nothing outlives a test;
- `containers`: PID namespaces and OCI bundles, for everything that wants to be PID 1;
- `random_trees`, `random_faults`, `random_runs`, `verdicts`: random containers, what goes wrong in
  them, and what may come of it;
- `podman`: an engine with a storage of its own; `bases`: the images that Dockerfiles begin with;
- `engines`: the fixtures for these; `pages`: guides whose commands are run.
"""
