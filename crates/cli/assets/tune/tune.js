"use strict";
/* All of the page stands in its HTML; the data is there for whoever wants to read it. */
