"""What guards of all frameworks share. They read an ASGI scope."""
