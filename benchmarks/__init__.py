"""lake beside its peers: fresh processes, interleaved, measured from outside."""
