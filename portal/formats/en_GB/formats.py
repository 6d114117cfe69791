"""How Django writes days and times where no template says it: as our templates do."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
