"""One file a family; importing a file registers its programs."""
