"""Pictures drawn without a model: labelled as such, the same for the same request."""
