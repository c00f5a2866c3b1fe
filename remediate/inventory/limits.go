package inventory

// limits bound what is read; tests have smaller ones.
type limits struct {
	file        int // bytes of one file
	yaml        int // bytes of one file; YAML takes some 40 times its size to read
	vars        int // bytes of all files in group_vars and host_vars
	hosts       int
	groups      int
	mentions    int // of hosts and groups in groups
	nodes       int // values of one file of YAML, aliases followed
	folderFiles int // of an inventory that is a folder
}

// standard are the limits of Load.
var standard = limits{
	file: 64 << 20, yaml: 16 << 20, vars: 256 << 20, hosts: 250_000, groups: 10_000, mentions: 4 << 20, nodes: 2 << 20, folderFiles: 1000,
}
