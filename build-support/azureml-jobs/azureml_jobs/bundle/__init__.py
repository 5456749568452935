"""What exactly is sent for a job, and may it be sent?"""
