"""Ready-made automations: one template a file."""
