"""What an `ApiClient` consists of."""
