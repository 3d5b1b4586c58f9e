"""What takes how long: the kernel, its command, and its peers."""
