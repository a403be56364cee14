/** The few Web-standard globals that this package uses; present in Node >= 20 and in browsers. */
declare function atob(text: string): string;
declare function btoa(binary: string): string;
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
