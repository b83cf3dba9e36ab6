"""What an `ApiClient` works with. Private: import from `bearward`, not from here."""
