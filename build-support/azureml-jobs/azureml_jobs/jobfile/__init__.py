"""What does an Azure ML v2 job file say, is it valid, and what does its job need?"""
