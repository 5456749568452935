"""The version of the tools; build-support/CHANGELOG.md says what each one changed."""

TOOLS_VERSION = "2.2.2"
