"""One call's whole trip, in the order it happens: `consultation` is the place to begin reading."""
