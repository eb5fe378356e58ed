"""The gate: may an exported engine replace the one that serves?"""
