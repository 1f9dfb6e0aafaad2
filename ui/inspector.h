/* SPDX-License-Identifier: MIT */
/* inspector.h - the step's arguments and the selected G, M or P, as facts. */
#pragma once
#include "facts.h"

/* Writes the panel for the session's event and selection. */
void ui_inspector_write(UiFacts *facts, UiSession *session);
