"""What does the storage account hold, and who may read and write it? (blob storage)"""
