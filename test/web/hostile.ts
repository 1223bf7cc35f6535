/** Text as targets, bots and other people may write it; none of it may run or break a layout. */
export const hostile = {
  markup: '<script>window.ran=1</script><img src=x onerror="window.ran=2">',
  bidi: 'gpj.\u202eexe\u2066',
  everything:
    '<script>window.ran=3</script> javascript:alert(4) \u001b[31mred\u001b]52;c;ZXZpbA==\u0007' +
    ' \u202eright-to-left \u0000nul \u009b31m c1 \u200bzero-width Z\u0335\u0336\u0337\u0338\u0334\u0341algo',
};
