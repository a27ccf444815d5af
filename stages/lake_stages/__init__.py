"""The stages that come with lake, one a file."""
