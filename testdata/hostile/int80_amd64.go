package main

func int80getpid() int64
