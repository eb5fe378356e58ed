"""The operator, which brings every TranslationCampaign to what its spec says."""
