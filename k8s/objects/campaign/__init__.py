"""The object `TranslationCampaign`: its spec, its status, its names and its jobs. Pure."""
