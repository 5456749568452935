"""What exactly would be sent for a job, and may it be?"""
