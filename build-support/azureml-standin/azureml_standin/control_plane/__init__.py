"""What does the workspace hold: datastores, computes, assets, jobs? (Azure Resource Manager)"""
