"""Parts for other packages' pipelines. Each module needs the package that it is named after."""
