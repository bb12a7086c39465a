"""Pictures and pages for people; the only user of matplotlib."""
