"""The commands of `complaint-loop`, one file each; every file imports what is heavy only when its command runs."""
