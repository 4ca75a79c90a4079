"""What end-to-end tests and benchmarks share: the daemon, its peers, ports, certificates, mail."""
