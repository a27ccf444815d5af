"""What `lake init --from` reads: directories, underfolders, buckets, all into samples."""
