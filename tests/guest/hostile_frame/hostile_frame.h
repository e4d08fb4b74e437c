/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames, offload requests and commands abused: the parts of the payload. */
#ifndef GUEST_HOSTILE_FRAME_H
#define GUEST_HOSTILE_FRAME_H

#include "tests/guest/lib/hostile.h"

/* commands.c */
void frame_abuse_commands(void);

#endif
