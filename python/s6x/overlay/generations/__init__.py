"""The generations of s6-overlay: what each does, as data and as the steps of a plan.

``legacy`` holds the steps that v1 and v2 share; what differs is a value of its `Generation`.
"""
