"""What the kernels run of an escalation."""
