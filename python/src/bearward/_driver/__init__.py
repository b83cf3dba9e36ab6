"""The machinery of an `ApiClient`. Private: import from `bearward`, not from here."""
