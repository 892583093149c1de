"""What a specialist's model may ask for by itself: searches of knowledge bases, and other specialists."""
