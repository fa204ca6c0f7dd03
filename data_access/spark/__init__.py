"""The marts of a big chain, built on an Apache Spark cluster instead of here (the extra ``spark``)."""
