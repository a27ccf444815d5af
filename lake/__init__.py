"""lake: datasets in git, blobs in remotes, loaded lazily and verified."""
